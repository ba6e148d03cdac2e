import { homedir } from 'node:os'
import { expect, it } from 'vitest'
import { expandHome } from '../../src/kernel/expand-home.js'

it('expandHome replaces only a leading ~ that stands alone', () => {
  expect(expandHome('~')).toBe(homedir())
  expect(expandHome('~/a~/b')).toBe(`${homedir()}/a~/b`)
  for (const path of ['~other/a', '/a/~', './~', 'a~/b']) expect(expandHome(path)).toBe(path)
})
