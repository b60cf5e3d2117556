archdsl compile net.arch --to torch -o net.arch
