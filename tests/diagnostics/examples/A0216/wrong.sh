archdsl check net.arch:Smal
