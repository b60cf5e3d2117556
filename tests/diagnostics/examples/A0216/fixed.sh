archdsl check net.arch:Small
