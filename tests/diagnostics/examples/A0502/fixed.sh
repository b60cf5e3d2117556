archdsl compile fixed.arch
