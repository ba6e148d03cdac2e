import { captureOutput } from '@oclif/test'
import { expect, it } from 'vitest'
import { commandNotFound } from '../../src/cli/command-not-found.js'
import { loadConfig } from '../support/cli.js'

async function typed(id: string, argv: string[] = []) {
  const config = await loadConfig()
  const context = { config, debug: () => {}, error: () => {}, exit: () => {}, log: () => {}, warn: () => {} }
  return captureOutput(() => commandNotFound.call(context as never, { id, argv, config, context } as never))
}

it.each([
  ['quer', 'Did you mean targon query?'],
  ['mier', 'Did you mean targon miner?'],
  ['valdator', 'Did you mean targon validator?'],
  ['miner:strat', 'Did you mean targon miner start?'],
  ['validatr:start', 'Did you mean targon validator start?'],
  ['entirely-else', 'List the commands with targon --help.'],
])('%s prints one line on stderr and exits with 2', async (id, advice) => {
  const { stdout, stderr, error } = await typed(id)
  expect(error?.oclif?.exit).toBe(2)
  expect(stdout).toBe('')
  expect(stderr).toBe(`Error [UNKNOWN_COMMAND]: Unknown command ${id.replace(':', ' ')}. ${advice}\n`)
})

it.each([
  ['miner:start:extra', 'Unexpected argument extra.'],
  ['update:now:please', 'Unexpected arguments now, please.'],
])('%s has unexpected arguments', async (id, words) => {
  const { stderr, error } = await typed(id)
  expect(error?.oclif?.exit).toBe(2)
  expect(stderr).toBe(`Error [USAGE]: ${words} See --help.\n`)
})

it('prints one document on stdout with --json', async () => {
  const { stdout, stderr } = await typed('quer', ['--json'])
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'UNKNOWN_COMMAND', exitStatus: 2 } })
})
