import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { completeOnce } from '../../src/cli/completion.js'
import { loadConfig } from '../support/cli.js'

const folder = mkdtempSync(join(tmpdir(), 'targon-completion-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** What bash offers after these words. */
function offered(script: string, words: readonly string[]): string[] {
  const list = words.map((word) => `'${word}'`).join(' ')
  const call = `source "${script}"; COMP_WORDS=(targon ${list}); COMP_CWORD=${words.length}; _targon_autocomplete; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['-c', call], { encoding: 'utf8' }).trim().split('\n')
}

it('offers each topic and command once', async () => {
  const loaded = await loadConfig()
  const config = Object.assign(Object.create(loaded), { cacheDir: folder })
  const create = loaded.findCommand('autocomplete:create', { must: true })
  const Command = await create.load()
  await Reflect.construct(Command, [[], config]).run()
  await completeOnce.call({} as never, { Command, config, argv: [] } as never)
  const script = join(folder, 'autocomplete', 'functions', 'bash', 'targon.bash')
  expect(readFileSync(script, 'utf8')).toContain('| sort -u)')
  const visible = loaded.commands.filter((command) => !command.hidden).map((command) => command.id.split(':'))
  const first = [...new Set(visible.map(([word]) => word))].toSorted()
  const ofMiner = visible.flatMap(([topic, word]) => (topic === 'miner' && word ? [word] : [])).toSorted()
  expect(first).toContain('miner')
  expect(ofMiner).toContain('start')
  expect(offered(script, [''])).toEqual(first)
  expect(offered(script, ['mi'])).toEqual(['miner'])
  expect(offered(script, ['miner', ''])).toEqual(ofMiner)
})
