archdsl check mendd.arch
