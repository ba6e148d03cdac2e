import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { collectLogEvents, renderLogEvents, unnamedLogCalls } from '../../scripts/docs/log-events.js'
import { REFUSAL_CLASSES } from '../../src/chain/refusal.js'
import { FINDING_CODES } from '../../src/roles/miner/check/types.js'

/** Classes of refused weights and findings of `miner check`, which look like event codes in the tables. */
const OTHER_CODES = new Set<string>([...REFUSAL_CLASSES, ...FINDING_CODES])

it('every log call has a literal kebab-case event code and a literal message', () => {
  expect(unnamedLogCalls()).toEqual([])
})

it('an event code always comes with the same message', () => {
  const ambiguous = collectLogEvents().filter(({ messages }) => messages.length > 1)
  expect(ambiguous).toEqual([])
})

it('docs/log-events.md lists the events of the source; run npm run docs when it does not', () => {
  const page = readFileSync(new URL('../../docs/log-events.md', import.meta.url), 'utf8')
  expect(page).toBe(renderLogEvents())
})

it.each(['README.md', 'docs/operating.md', 'docs/migrating.md', 'docs/weights-and-endpoints.md'])(
  '%s names only events that exist',
  (path) => {
    const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
    const events = new Set(collectLogEvents().map(({ event }) => event))
    const named = [...text.matchAll(/\| `([a-z]+(?:-[a-z]+)+)` \||event `([a-z-]+)`/g)].map(
      ([, row, inline]) => row ?? inline ?? '',
    )
    expect(named.filter((name) => !events.has(name) && !OTHER_CODES.has(name))).toEqual([])
  },
)
