import { homedir } from 'node:os'
import { expect, it } from 'vitest'
import { expandHome } from '../../src/kernel/home.js'

it('expands a leading ~ that stands alone, and nothing else', () => {
  expect(expandHome('~')).toBe(homedir())
  expect(expandHome('~/a~/b')).toBe(`${homedir()}/a~/b`)
  for (const path of ['~other/a', '/a/~', './~', 'a~/b']) expect(expandHome(path)).toBe(path)
})
