archdsl compile wrong.arch
