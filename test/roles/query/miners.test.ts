import { describe, expect, it } from 'vitest'
import type { Metagraph } from '../../../src/chain/index.js'
import { findMiner, minerUrlOf, requireHotkey, servingMiners } from '../../../src/roles/query/index.js'

const miners = [
  { uid: 1, hotkey: '5One', url: 'http://203.0.113.1:8091' },
  { uid: 2, hotkey: '5Two', url: 'http://[2001:db8::1]:8091' },
]
const none = { uid: undefined, hotkey: undefined, axon: undefined }

describe('servingMiners', () => {
  const neuron = (uid: number, ip: string, port = 8091) => ({ uid, hotkey: `5Hot${uid}`, axon: { ip, port } })
  const metagraph = {
    neurons: [
      neuron(0, '203.0.113.1'),
      neuron(1, '2001:db8::1'),
      neuron(2, '10.0.0.1'),
      neuron(3, '203.0.113.2', 0),
      { uid: 4, hotkey: '5Hot4', axon: undefined },
    ],
  } as unknown as Metagraph

  it('lists neurons with an allowed address except our own', () => {
    const serving = servingMiners(metagraph, '5Hot0', (ip) => !ip.startsWith('10.'))
    expect(serving).toEqual([{ uid: 1, hotkey: '5Hot1', url: 'http://[2001:db8::1]:8091' }])
  })
})

describe('findMiner', () => {
  it.each([
    [{ ...none, uid: 2 }, 2],
    [{ ...none, hotkey: '5One' }, 1],
    [{ ...none, axon: '[2001:db8::1]:8091' }, 2],
    [{ ...none, uid: 1, axon: '203.0.113.1:8091' }, 1],
  ])('finds %j', (choice, uid) => {
    expect(findMiner(miners, choice).uid).toBe(uid)
  })

  it.each([
    [{ ...none, uid: 7 }, /No miner with uid 7 was found/],
    [{ ...none, uid: 1, hotkey: '5Two' }, /No miner with uid 1 and hotkey 5Two was found/],
  ])('rejects %j', (choice, message) => {
    expect(() => findMiner(miners, choice)).toThrow(message)
  })
})

describe('requireHotkey', () => {
  it('accepts an ss58 address and rejects other text', async () => {
    await requireHotkey('5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM')
    await expect(requireHotkey('5Hot')).rejects.toMatchObject({ code: 'HOTKEY_INVALID' })
  })
})

describe('minerUrlOf', () => {
  it('accepts ip:port and rejects other text', () => {
    expect(minerUrlOf('203.0.113.1:80')).toBe('http://203.0.113.1:80')
    expect(minerUrlOf('[::1]:80')).toBe('http://[::1]:80')
    expect(() => minerUrlOf('example.org:80')).toThrow(expect.objectContaining({ code: 'AXON_INVALID' }))
  })
})
