import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { roleCommands } from '../../../src/localnet/network/role-commands.js'

const commands = roleCommands({
  program: 'node bin/run.js',
  folder: './localnet',
  chainUrl: 'ws://127.0.0.1:9944',
  engineUrl: 'http://127.0.0.1:8000',
  epochBlocks: 30,
})

describe('the commands for roles in other terminals', () => {
  it('keep keys and state of both neurons in the folder of the network', () => {
    const neurons = commands.filter((command) => command.includes(' start '))
    expect(neurons).toHaveLength(2)
    for (const command of neurons) {
      expect(command).toContain('--wallet.path ./localnet/wallets')
      expect(command).toContain('--logging.logging_dir ./localnet/neurons')
    }
  })

  it('are lines that a shell joins', () => {
    for (const command of commands)
      for (const line of command.split('\n').slice(0, -1)) expect(line).toMatch(/ \\$/)
  })
})

it('git ignores the folder of the README', () => {
  const root = new URL('../../../', import.meta.url)
  const [, folder = ''] =
    /localnet --only \S+ --dir \.\/([\w-]+)/.exec(readFileSync(new URL('README.md', root), 'utf8')) ?? []
  expect(folder).toBe('localnet')
  const ignored = execFileSync('git', ['check-ignore', `${folder}/wallets/localnet/coldkeypub.txt`], {
    cwd: root,
  })
  expect(String(ignored)).toContain(folder)
})
