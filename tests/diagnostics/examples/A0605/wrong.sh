archdsl summary two.arch
