archdsl check fixed.arch
