archdsl compile mended.arch
