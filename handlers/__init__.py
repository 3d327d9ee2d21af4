"""Pure decisions: read, admit, assemble, adjudicate, explain, settle, chain.

Functions of facts and policies. Nothing here sees a clock, an id generator, a database or a broker, so the worker,
`huzhu adjudicate`, replay and the tests all get the same answer. Imports schemas only.
"""
