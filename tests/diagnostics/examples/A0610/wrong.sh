archdsl explain A312
