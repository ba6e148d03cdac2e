import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { collectLogEvents, renderLogEvents, unnamedLogCalls } from '../../scripts/docs/log-events.js'

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
