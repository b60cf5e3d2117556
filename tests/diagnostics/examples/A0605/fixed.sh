archdsl summary two.arch:Small
