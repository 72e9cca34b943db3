module ketama

go 1.19
