archdsl check net.arch --set width=32
