"""Every network that torchvision can build, said in the language, held against torchvision's own."""
