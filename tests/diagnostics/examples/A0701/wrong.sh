archdsl train lenet5 --data no/such/folder
