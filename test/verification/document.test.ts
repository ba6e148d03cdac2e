import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { CAUSES, THRESHOLDS } from '../../src/verification/index.js'

const page = readFileSync(new URL('../../docs/verification.md', import.meta.url), 'utf8')

it('docs/verification.md lists every threshold with its value and reason', () => {
  for (const [name, { value, reason }] of Object.entries(THRESHOLDS)) {
    expect(page).toContain(`| ${name} | ${value} | ${reason} |`)
  }
})

it('docs/verification.md names every cause', () => {
  for (const cause of CAUSES) expect(page).toContain(cause)
})
