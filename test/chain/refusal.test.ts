import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { REFUSAL_CLASSES, refusalOfDispatchError, refusalOfPoolError } from '../../src/chain/refusal.js'
import { RpcError } from '../../src/chain/rpc.js'

const poolError = (code: number, message: string, data = '') =>
  refusalOfPoolError(new RpcError('author_submitAndWatchExtrinsic', code, message, data))

describe('refusalOfPoolError', () => {
  it.each([
    [1010, 'Invalid Transaction', 'Custom error: 6', 'too-fast', 'RateLimitExceeded'],
    [1010, 'Invalid Transaction', 'Custom error: 77', 'other', 'pool 1010 custom 77'],
    [1010, 'Invalid Transaction', 'Custom error: 16', 'no-commit', 'CommitNotFound'],
    [1010, 'Invalid Transaction', 'Custom error: 17', 'no-commit', 'CommitBlockNotInRevealRange'],
    [1010, 'Invalid Transaction', 'Custom error: 255', 'bad-request', 'BadRequest'],
    [1010, 'Invalid Transaction', 'Transaction is outdated', 'stale', 'pool 1010 Transaction is outdated'],
    [1010, 'Invalid Transaction', 'Bad signature', 'stale', 'pool 1010 Bad signature'],
    [1010, 'Invalid Transaction', 'Inability to pay', 'other', 'pool 1010 Inability to pay'],
    [1014, 'Priority is too low', '', 'stale', 'pool 1014 priority too low'],
  ])('classes %i %s (%s) as %s', (code, message, data, refusalClass, name) => {
    expect(poolError(code, message, data)).toMatchObject({ class: refusalClass, name })
  })

  it.each([
    [1013, 'Transaction is already imported'],
    [1012, 'Transaction is temporarily banned'],
    [-32_603, 'Internal error'],
  ])('returns nothing for %i, after which the extrinsic may still be in the pool', (code, message) => {
    expect(poolError(code, message)).toBeUndefined()
  })
})

describe('refusalOfDispatchError', () => {
  it('classes known errors by name and others as other', () => {
    expect(refusalOfDispatchError('NeuronNoValidatorPermit')).toMatchObject({ class: 'no-permit' })
    expect(refusalOfDispatchError('CommitPayloadTooLarge')).toMatchObject({ class: 'commit-too-large' })
    expect(refusalOfDispatchError('CommitQueueFull')).toMatchObject({ class: 'commit-queue-full' })
    expect(refusalOfDispatchError('NewError')).toMatchObject({ class: 'other', name: 'NewError' })
  })
})

it('docs/weights-and-endpoints.md lists every class of refusal', async () => {
  const page = await readFile(new URL('../../docs/weights-and-endpoints.md', import.meta.url), 'utf8')
  expect(REFUSAL_CLASSES.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
})
