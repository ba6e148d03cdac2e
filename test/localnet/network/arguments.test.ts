import { expect, test } from 'vitest'
import { settingNames } from '../../../src/config/index.js'
import {
  hubArguments,
  hubKeyArguments,
  minerArguments,
  validatorArguments,
} from '../../../src/localnet/network/arguments.js'

const places = { folder: '/net', chainUrl: 'ws://127.0.0.1:1', referenceUrl: 'http://127.0.0.1:2' }
const member = { name: 'honest-fast', behaviour: 'honest', models: ['m'], tokensPerSecond: 1 } as const
const plan = { seed: 's', epochBlocks: 30 }

const unknownFlags = (role: 'miner' | 'validator' | 'hub', args: readonly string[]) => {
  const names = new Set<string>(settingNames(role))
  return args
    .filter((arg) => arg.startsWith('--'))
    .map((arg) => arg.slice(2))
    .filter((name) => !names.has(name) && !names.has(name.replace(/^no-/, '')))
}

test('every role is started with flags that it has', () => {
  expect(unknownFlags('miner', minerArguments(places, member, 'http://127.0.0.1:3'))).toEqual([])
  expect(unknownFlags('validator', validatorArguments(places, plan))).toEqual([])
  expect(unknownFlags('validator', validatorArguments(places, { ...plan, hubUrl: 'http://h' }))).toEqual([])
  expect(unknownFlags('hub', hubArguments(places, 's'))).toEqual([])
})

test('the key of the users is created where the hub keeps its state', () => {
  const start = hubArguments(places, 's')
  const argumentOf = (args: readonly string[], flag: string) => args[args.indexOf(flag) + 1]
  for (const flag of ['--wallet.name', '--wallet.hotkey', '--logging.logging_dir'])
    expect(argumentOf(hubKeyArguments(places), flag)).toBe(argumentOf(start, flag))
})

test('a validator believes only the hub of its own network', () => {
  const withHub = validatorArguments(places, { ...plan, hubUrl: 'http://h' })
  expect(withHub.slice(withHub.indexOf('--hub.url')).slice(0, 4)).toEqual([
    ...['--hub.url', 'http://h', '--evidence.organics', 'count'],
  ])
  const alone = validatorArguments(places, plan)
  expect(alone[alone.indexOf('--hub.url') + 1]).toBe('off')
  expect(alone).not.toContain('--evidence.organics')
})
