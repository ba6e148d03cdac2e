import { describe, expect, it } from 'vitest'
import { BEHAVIOURS } from '../../../src/localnet/engine/index.js'
import { castWith, cheatsWith, hotkeyNames } from '../../../src/localnet/network/cast.js'

describe('castWith', () => {
  const always = castWith([])

  it('has honest miners, obvious cheats and one that only evidence shows', () => {
    const behaviours = always.map(({ behaviour }) => behaviour)
    expect(behaviours.filter((name) => name === 'honest')).toHaveLength(4)
    expect(behaviours).toContain('int4')
    expect(hotkeyNames(always)[0]).toBe('validator')
  })

  it('adds a miner per further cheat, once, behind those that are always there', () => {
    const cast = castWith(['rescored', 'int4', 'draft', 'rescored'])
    expect(cast.slice(0, always.length)).toEqual(always)
    expect(cast.slice(always.length).map(({ name }) => name)).toEqual(['cheat-rescored', 'cheat-draft'])
    expect(new Set(hotkeyNames(cast)).size).toBe(cast.length + 1)
  })

  it.each(['saintly', 'honest', '', '__proto__'])('refuses %j and lists the cheats', (name) => {
    expect(() => castWith([name])).toThrow(
      expect.objectContaining({ code: 'LOCALNET_CHEATS', next: expect.stringContaining('rescored') }),
    )
  })

  it('has with a hub a miner that only users see cheat, and the hub behind all miners', () => {
    expect(cheatsWith(['draft'], false)).toEqual(['draft'])
    const cast = castWith(cheatsWith(['draft', 'two-faced'], true))
    expect(cast.slice(always.length).map(({ name }) => name)).toEqual(['cheat-two-faced', 'cheat-draft'])
    expect(hotkeyNames(cast, true)).toEqual([...hotkeyNames(cast), 'hub'])
  })

  it('keeps only the miners that are named, in the usual order, beside further cheats', () => {
    const cast = castWith(['draft', 'int4'], ['cheat-int4', 'honest-fast'])
    expect(cast.map(({ name }) => name)).toEqual(['honest-fast', 'cheat-int4', 'cheat-draft'])
    expect(() => castWith([], ['honest'])).toThrow(
      expect.objectContaining({ code: 'LOCALNET_MINERS', next: expect.stringContaining('honest-fast') }),
    )
  })

  it('refuses more miners than a small machine runs', () => {
    const cheats = BEHAVIOURS.filter((name) => name !== 'honest')
    expect(() => castWith(cheats.slice(-9))).toThrow(expect.objectContaining({ code: 'LOCALNET_CHEATS' }))
    expect(castWith(cheats.slice(-8))).toHaveLength(always.length + 8)
  })
})
