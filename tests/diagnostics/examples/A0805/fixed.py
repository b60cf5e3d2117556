import archdsl

archdsl.load("net.arch").diagram().save("net.dot")
