import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { newHotkeyCommand, registerCommand } from '../../src/wallet/btcli.js'
import { btcliLines, problemOf } from '../support/btcli-forms.js'

const place = { name: 'default', hotkey: 'default', path: '~/.bittensor/wallets' }

test('names the wallet by what btcli 9 and 11 both take', () => {
  expect(newHotkeyCommand(place)).toBe('btcli wallet new-hotkey --wallet-hotkey default')
  expect(newHotkeyCommand({ name: 'my wallet', hotkey: 'h1', path: '/keys' })).toBe(
    "BT_WALLET='my wallet' btcli wallet new-hotkey --wallet-hotkey h1 --wallet-path /keys",
  )
  expect(registerCommand(4, place)).toBe('btcli subnets register --netuid 4 --wallet-hotkey default')
  expect(registerCommand(9, place, 'test')).toBe(
    'btcli subnets register --netuid 9 --wallet-hotkey default --network test',
  )
})

test('every btcli line of source and documents has a form that btcli 9 and 11 both take', () => {
  const files = execFileSync('git', ['ls-files', 'src', 'docs', 'deploy', 'scripts', 'README.md'], {
    encoding: 'utf8',
  })
  const lines = files
    .trim()
    .split('\n')
    .flatMap((file) => btcliLines(readFileSync(file, 'utf8')).map((line) => ({ file, line })))
  const built = [newHotkeyCommand({ ...place, path: '/keys' }), registerCommand(4, place, 'ws://a:1')]
  expect(lines.length).toBeGreaterThan(8)
  const all = [...lines, ...built.map((line) => ({ file: 'src/wallet/btcli.ts', line }))]
  expect(all.flatMap(({ file, line }) => problemOf(line)?.concat(` (${file})`) ?? [])).toEqual([])
})

test.each([
  'btcli wallet new-hotkey --wallet.name a',
  'btcli wallet new-hotkey --wallet-name a',
  'btcli wallet new-hotkey --wallet a',
  'btcli subnets list --subtensor.network test',
  'btcli subnets register',
  'btcli wallet nothing',
])('knows that one of them refuses: %s', (line) => {
  expect(problemOf(line)).toBeDefined()
})
