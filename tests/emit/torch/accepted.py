"""Specs that `archdsl check` accepts, of kinds that are hard to write as source: by kind and name."""

from __future__ import annotations

HEAD = "arch 1\n"

LISTS = {
    "sum of a list": """
block Sum { add { it[0] -> one: conv(4, 1); it[1] } }
model M { input a: [N, 3, H, W]; input b: [N, 4, H, W]; [a, b]; s: Sum; output y }""",
    "dense units with none": """
block Unit(first) {
  let past = none if first else it[1]
  it[0] -> conv1: conv(4, 1) as d1
  conv2: conv(4, 1) as d2
  concat { d1; d2; if not first { past } }
  conv6: conv(4, 1)
  [it, it if first else past]
}
model M {
  input a: [N, 4, H, W]
  [it]
  features: seq { Unit(true); Unit(false); Unit(true); Unit(false) }
  it[0]
  output y
}""",
    "branches that exchange": """
block Fuse(high, low) {
  let xs = it
  xs[0] -> add { it; xs[1] -> lift: conv(high, 1) -> resize("nearest", like=xs[0]) } as fine
  xs[1] -> add { keep: conv(low, 1); xs[0] -> down: conv(low, 3, stride=2, pad=1) } as coarse
  [fine, coarse]
}
model M {
  input x: [N, 3, H, W]
  assert H % 4 == 0 and W % 4 == 0
  a: conv(4, 3, pad=1) as high
  b: conv(8, 3, stride=2, pad=1) as low
  [high, low]
  stage: seq { Fuse(4, 8); Fuse(4, 8) }
  concat { it[0]; it[1] -> resize("nearest", like=high) }
  output y
}""",
    "a list handed on as it is": """
block Keep { [it[0], it[1] * 2.0] }
block Both { a: Keep; b: Keep; [it[1], it[0]] }
model M { input x: [N, 4]; input z: [N, 4]; [x, z]; c: Both; it[0] - it[1]; output y }""",
    "tree of sums": """
block Tree(depth) {
  let x = it[0]
  let other = it[1]
  x -> left: linear(4) as l
  if depth > 1 { [l, other]; deep: Tree1; it } else { l + other }
}
block Tree1 { it[0] -> a: linear(4); it + it }
model M { input x: [N, 4]; input z: [N, 4]; [x, z]; t: Tree(2); u: { it -> relu }; [u_in(it), z]; v: Tree(1)
output y }
fn u_in(x) = x""",
    "one of a list unread": """
block First { it[0] -> a: linear(3) }
model M { input x: [N, 4]; input z: [N, 5]; [x, z]; f: First; output y; z -> g: linear(2); output other }""",
    "a list out of a seq": """
block Two { a: linear(4) as p; b: linear(4); [p, it] }
model M { input x: [N, 4]; s: seq { Two }; it[0] * it[1]; output y }""",
    "a loop over a list stream": """
block Step { let xs = it; xs[0] -> f: linear(4) as p; [p + xs[1], xs[0]] }
model M { input x: [N, 4]; [x, x]; for i in 0..4 { step{i}: Step }; it[0] + it[1]; output y }""",
    "a seq loop over a list stream": """
block Step { let xs = it; xs[0] -> f: linear(4) as p; [p + xs[1], xs[0]] }
model M { input x: [N, 4]; [x, x]; steps: seq { for i in 0..4 { Step } }; it[0] + it[1]; output y }""",
    "three of a list": """
block Mix { let q = it; concat(axis=1) { q[0]; q[2] -> a: linear(2); q[1] } }
model M { input x: [N, 8]; split(4, axis=1) as p; [p[0], p[1], p[3]]; m: Mix; output y }""",
    "lists in lists": """
block Pair { let a = it[0]; let b = it[1]; a[0] + b[0] -> f: linear(4) }
model M { input x: [N, 4]; input z: [N, 4]; [[x], [z]]; p: Pair; output y }""",
    "empty then filled": """
block Grow(k) { let xs = it; xs[0] -> f: linear(3) as n; [n, x_of(xs)] if k == 0 else [n, xs[1]] }
fn x_of(xs) = xs[0]
model M { input x: [N, 3]; [x]; a: Grow(0); b: Grow(1); it[0] + it[1]; output y }""",
    "names of the list": """
block Sub { it as both; both[0] - both[1] -> f: linear(2) }
model M { input x: [N, 4]; input z: [N, 4]; [x, z]; s: Sub; [x, z]; t: Sub; output y }""",
    "mul and stack of a list": """
block S { stack(axis=1) as s; s -> reduce("n k c -> n c", "max") }
model M { input x: [N, 4]; input z: [N, 4]; [x, z]; mul as m; [x, m, z]; s: S; output y }""",
    "training output beside a list": """
block Two { let xs = it; xs[0] -> a: linear(4) as p; [p, xs[1]] }
model M { input x: [N, 4]; [x, x]; t: Two as xs; xs[0] as m
output aux = xs[1] -> head: linear(2) when training; m; output y }""",
}

DECLARED = {
    "position encoder": """
block Stage(peg) { a: conv(4, 1); peg }
model M { input x: [N, 4, H, W]; let pos: conv(4, 3, pad=1); body: Stage(pos); output y }""",
    "in two blocks": """
block Stage(peg) { a: conv(4, 1); peg; b: conv(4, 1) }
model M { input x: [N, 4, H, W]; let pos: conv(4, 3, pad=1); one: Stage(pos); two: Stage(pos); output y }""",
    "nested": """
block Inner(f) { a: linear(4) -> f }
block Outer(g) { i: Inner(g); relu; j: Inner(g) }
model M { input x: [N, 4]; let shared: linear(4); o: Outer(shared); output y }""",
    "in a loop": """
block Stage(peg) { a: linear(4); peg }
model M { input x: [N, 4]; let pos: linear(4); for i in 0..4 { s{i}: Stage(pos) }; output y }""",
    "in a seq": """
block Stage(peg) { a: linear(4); peg }
model M { input x: [N, 4]; let pos: linear(4); s: seq { for i in 0..4 { Stage(pos) } }; output y }""",
    "a list of modules": """
block Stage(peg) { a: linear(4); peg }
model M { input x: [N, 4]; let pegs: [linear(4) for i in 0..3]; for i in 0..3 { s{i}: Stage(pegs[i]) }
output y }""",
    "a list handed over whole": """
block Stage(pegs) { a: linear(4); for p in pegs { p } }
model M { input x: [N, 4]; let pegs: [linear(4), relu, linear(4)]; s: Stage(pegs); output y }""",
    "a block": """
block Peg { c: conv(4, 3, pad=1); d: conv(4, 1) }
block Stage(peg) { a: conv(4, 1); peg }
model M { input x: [N, 4, H, W]; let pos: Peg; body: Stage(pos); other: Stage(pos); output y }""",
    "run outside too": """
block Stage(peg) { a: linear(4); peg }
model M { input x: [N, 4]; let pos: linear(4); pos; body: Stage(pos); pos; output y }""",
    "at two sizes": """
block Stage(peg) { a: conv(4, 1); peg }
model M { input x: [N, 4, H, W]; let pos: conv(4, 3, pad=1); one: Stage(pos); maxpool(2); two: Stage(pos)
output y }""",
    "a norm in training": """
block Stage(n) { a: linear(4); n }
model M { input x: [N, 4]; let norm: batchnorm; one: Stage(norm); two: Stage(norm); output y }""",
    "an activation": """
block Stage(f) { a: linear(4); f }
model M { input x: [N, 4]; let act: gelu; one: Stage(act); two: Stage(act); output y }""",
    "in a group": """
model M { input x: [N, 4]; let pos: linear(4); g: { a: linear(4); pos }; h: { pos; b: linear(4) }
output y }""",
    "in a residual": """
block Stage(f) { residual { a: linear(4); f } }
model M { input x: [N, 4]; let pos: linear(4, bias=false); s: Stage(pos); output y }""",
    "as the block's default": """
block Stage(f = relu) { a: linear(4); f }
model M { input x: [N, 4]; let pos: linear(4); one: Stage; two: Stage(pos); output y }""",
    "declared in a block and handed down": """
block Inner(f) { a: linear(4); f }
block Outer { let own: linear(4); i: Inner(own); j: Inner(own) }
model M { input x: [N, 4]; o: Outer; p: Outer; output y }""",
    "a chain": """
block Stage(f) { a: linear(4); f }
model M { input x: [N, 4]; let pos: linear(4); let both = relu -> pos; s: Stage(both); output y }""",
}

BUFFERS = {
    "of a buffer": """
model M { input x: [N, 3]; buffer t: [3] = [0.5, 1.0, 2.0]; buffer b: [3] = t * 2.0; x + b + t; output y }""",
    "a let read by buffers": """
model M {
  input x: [N, 3]
  let t = sin([0, 1, 2] -> rearrange("t -> t"))
  buffer b: [3] = t
  buffer c: [3] = 2.0 * t
  x + b + c
  output y
}""",
    "of a buffer outside of the block": """
block B(t) { input x: [N, C]; buffer c: [C] = t + 1.0; it + c }
model M {
  input x: [N, 3]
  buffer t: [3] = [1.0, 2.0, 3.0]
  b: B(t); c: B(2.0 * t)
  g: { buffer z: [3] = t * 3.0; it + z }
  output y
}""",
    "of a buffer of a buffer": """
model M {
  input x: [N, 2, 2]
  buffer a: [2, 2] = [[1.0, 2.0], [3.0, 4.0]]
  buffer b: [2, 2] = exp(a) -> rearrange("i j -> j i")
  buffer c: [2, 2] = (a, b) -> einsum("i j, j k -> i k")
  x + c
  output y
}""",
    "a part of a split": """
model M {
  input x: [N, 2]
  let halves = [1.0, 2.0, 3.0, 4.0] -> split(2, axis=0)
  buffer b: [2] = halves[0]
  buffer c: [2] = halves[1]
  x * b + c
  output y
}""",
    "a comparison": """
model M { input x: [N, 4]; buffer k: [4] = [i for i in 0..4]; buffer m: [4] = 1.0 * (k > 1); x * m
output y }""",
    "in a loop": """
block B(k) { input x: [N, C]; buffer t: [C] = [1.0 * i for i in 0..C]; buffer u: [C] = t * k; it + u }
model M { input x: [N, 3]; for k in 0..4 { b{k}: B(k) }; output y }""",
    "whole numbers": """
model M { input x: [N, 3]; buffer k: [3] = [2, 1, 0]; buffer j: [3] = k * 2; x + j; output y }""",
    "a constant read twice": """
model M { input x: [N, 3]; let t = [1.0, 2.0, 3.0] -> softmax(axis=0); buffer b: [3] = t + t; x + b + t
output y }""",
    "indexed by a buffer": """
model M {
  input x: [N, 3]
  buffer table: [4] = [1.0, 2.0, 3.0, 4.0]
  buffer places: [3] = [3, 0, 1]
  buffer picked: [3] = table[places]
  x * picked
  output y
}""",
}

SIZES = {
    "taps": """
block Taps(k) {
  input x: [N, C, T]
  pad(axis=2, after=k - 1) as p
  x -> stack(axis=3) { for i in 0..k { p[:, :, i:i + T] } } -> reduce("n c t k -> n c t", "sum")
}
model M { input x: [N, 4, S]; avgpool(2); a: Taps(3); output y: [N, 4, S // 2] }""",
    "taps twice": """
block Taps(k) {
  input x: [N, C, T]
  pad(axis=2, after=k - 1) as p
  x -> stack(axis=3) { for i in 0..k { p[:, :, i:i + T] } } -> reduce("n c t k -> n c t", "sum")
}
model M { input x: [N, 4, S]; a: Taps(3); avgpool(2); b: Taps(4); c: conv(4, 3, stride=2); d: Taps(2)
output y }""",
    "positions": """
model M {
  input text: [L, T] int64
  input image: [N, 8]
  words: { [i for i in 0..T] -> pos: embedding(80, 8) as p; text -> emb: embedding(10, 8) -> it + p }
  reduce("l t c -> l c", "mean") as a
  (image, a) -> einsum("n c, l c -> n l")
  output y: [N, L]
}""",
    "a window of half": """
block Half { input x: [N, T, C]; x[:, :T // 2] as a; x[:, T - T // 2:] as b
(a, b) -> einsum("n t c, n t c -> n t c") }
model M { input x: [N, S, 4]; maxpool_of_pairs: { it[:, ::2] }; h: Half; output y }""",
    "pads by what is left": """
block Windows(w) {
  input x: [N, C, H, W]
  pad(axis=2, after=-H % w) -> pad(axis=3, after=-W % w) as p: [N, C, Y, X]
  rearrange("n c (y a) (x b) -> n (y x) (a b) c", a=w, b=w)
  mix: linear(4)
  rearrange("n (y x) (a b) c -> n c (y a) (x b)", y=Y // w, a=w, b=w)
  it[:, :, :H, :W]
}
model M { input x: [N, 4, P, Q]; stem: conv(4, 2, stride=2); a: Windows(3); maxpool(2); b: Windows(2)
output y }""",
    "shifted sum": """
block Shift { input x: [N, T, C]; pad(axis=1, before=1) as p; p[:, :T] + x }
model M { input x: [N, S, 4]; s: Shift; it[:, 1:]; t: Shift; output y }""",
    "a mask as long as the input": """
block Causal { input x: [N, T, C]; let seen = [[1.0 * (i >= j) for j in 0..T] for i in 0..T]
(seen, x) -> einsum("i t, n t c -> n i c") }
model M { input x: [N, S, 4]; a: Causal; it[:, ::2]; b: Causal; output y }""",
    "sizes as numbers": """
block Mean { input x: [N, T, C]; reduce("n t c -> n c", "sum") -> it / T }
model M { input x: [N, S, 4]; it[:, 1:]; m: Mean; output y }""",
    "a size from around a group": """
model M { input x: [N, S, 4]; g: { reduce("n s c -> n c", "sum"); f: linear(4); it / S }; output y }""",
    "a size of another input": """
block B(x) { a: linear(4); it * x.shape[1] }
model M { input x: [N, S, 4]; input z: [N, 4]; z; b: B(x); output y }""",
    "resized to what is not there": """
model M { input x: [N, 4, H, W]; a: conv(4, 3, stride=2, pad=1); up: { resize("bilinear", size=[H, W])
b: conv(2, 1) }; output y }""",
    "ranges from the middle": """
model M { input x: [N, S, 4]; let far = [i - S // 2 for i in 0..S]; far -> rearrange("s -> 1 s 1") as f
x * f; output y }""",
    "a doubled axis": """
model M { input x: [N, S, 3]; let T = S // 2; let p = [1.0 * i for i in 0..T]; x[:, :T] as a
x[:, T:2 * T] as b; (p, a - b) -> einsum("t, n t c -> n t c"); output y }""",
}

KINDS = {"lists": LISTS, "declared": DECLARED, "buffers": BUFFERS, "sizes": SIZES}
ALL = {f"{kind}: {name}": HEAD + text.strip() + "\n" for kind, specs in KINDS.items() for name, text in specs.items()}
