archdsl viz net.arch -o net.svg
