archdsl compile net.arch -o net.arch
