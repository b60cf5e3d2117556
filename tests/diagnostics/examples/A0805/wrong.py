import archdsl

archdsl.load("net.arch").diagram().save("net.gif")
