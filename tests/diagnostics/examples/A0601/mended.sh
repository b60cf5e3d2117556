archdsl check mended.arch
