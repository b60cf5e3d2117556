archdsl compile net.arch -o net.arch/net.py
