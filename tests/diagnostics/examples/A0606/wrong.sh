archdsl check net.arch --set widht=32
