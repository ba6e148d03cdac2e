import { describe, expect, it } from 'vitest'
import { parseEngineEndpoints } from '../../src/engine/index.js'

describe('parseEngineEndpoints', () => {
  it('merges the replicas of a model and drops a trailing /v1', () => {
    expect(
      parseEngineEndpoints([
        'org/a=http://h:8000/v1,http://h:8001/',
        'org/b=https://x/p/v1/',
        'org/a=http://h:8001',
      ]),
    ).toEqual([
      { model: 'org/a', urls: ['http://h:8000', 'http://h:8001'] },
      { model: 'org/b', urls: ['https://x/p'] },
    ])
  })

  it.each(['http://h:8000', 'org/a=', 'org/a=ftp://h', 'org/a=nonsense', '=http://h', 'a b=http://h'])(
    'rejects %s as a usage error',
    (item) => {
      expect(() => parseEngineEndpoints([item])).toThrow(
        expect.objectContaining({ code: 'ENGINE_ENDPOINTS', fault: 'usage' }),
      )
    },
  )

  it('rejects a key in a URL without repeating it', () => {
    const expected = { code: 'ENGINE_ENDPOINTS', message: expect.not.stringContaining('hunter2') }
    expect(() => parseEngineEndpoints(['org/a=https://:hunter2@h:8000'])).toThrow(
      expect.objectContaining(expected),
    )
  })
})
