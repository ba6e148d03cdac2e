import { describe, expect, it } from 'vitest'
import { CAST } from '../../../src/localnet/network/cast.js'
import {
  formatEngineSpecification,
  parseEngineSpecification,
} from '../../../src/localnet/network/engine-specification.js'

describe('parseEngineSpecification', () => {
  it('reads what the localnet writes for every member of its cast', () => {
    for (const member of CAST) {
      expect(parseEngineSpecification(formatEngineSpecification(member))).toEqual({
        behaviour: member.behaviour,
        tokensPerSecond: member.tokensPerSecond,
        models: member.models,
      })
    }
  })

  it('reads a missing speed as no pacing', () => {
    expect(parseEngineSpecification('honest=a,b')).toEqual({
      behaviour: 'honest',
      tokensPerSecond: undefined,
      models: ['a', 'b'],
    })
  })

  it.each(['', 'honest', 'honest=', 'saintly=a', 'honest@fast=a', '@5=a'])('rejects %j', (text) => {
    expect(() => parseEngineSpecification(text)).toThrow(
      expect.objectContaining({ code: 'ENGINE_SPECIFICATION', fault: 'usage' }),
    )
  })
})
