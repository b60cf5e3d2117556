archdsl viz net.arch -o net.svg --fold conv2
