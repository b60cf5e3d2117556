archdsl compile net.arch -o net.py
