import { describe, expect, it } from 'vitest'
import { CAST } from '../../src/localnet/cast.js'
import { parseEngineSpecification } from '../../src/localnet/engine-specification.js'
import { specificationOf } from '../../src/localnet/network.js'

describe('an engine on the command line', () => {
  it('reads what the localnet writes for every member of its cast', () => {
    for (const member of CAST) {
      expect(parseEngineSpecification(specificationOf(member))).toEqual({
        behaviour: member.behaviour,
        tokensPerSecond: member.tokensPerSecond,
        models: member.models,
      })
    }
  })

  it('takes a missing speed as no pacing', () => {
    expect(parseEngineSpecification('honest=a,b')).toEqual({
      behaviour: 'honest',
      tokensPerSecond: undefined,
      models: ['a', 'b'],
    })
  })

  it.each(['', 'honest', 'honest=', 'saintly=a', 'honest@fast=a', '@5=a'])(
    'refuses %j and says how to write it',
    (text) => {
      expect(() => parseEngineSpecification(text)).toThrow(
        expect.objectContaining({ code: 'ENGINE_SPECIFICATION', fault: 'usage' }),
      )
    },
  )
})
