import { describe, expect, test } from 'vitest'
import { RpcError } from '../../../../src/localnet/chain/node/index.js'
import type { Json } from '../../../../src/localnet/chain/rpc/method.js'
import { type Gate, type RpcModule, Session } from '../../../../src/localnet/chain/rpc/session.js'

type Push = (result: number) => void

describe('Session', () => {
  const pushes: Push[] = []
  const module: RpcModule = {
    methods: {
      state_getStorage: (params) => params as Json,
      chain_getHeader: () => 1,
      echo: (params) => String(params[0]),
      fail: () => {
        throw new Error('out of order')
      },
      reject: () => {
        throw new RpcError(1012, 'Transaction is temporarily banned')
      },
    },
    subscriptions: {
      subscribe: {
        event: 'changed',
        unsubscribe: 'unsubscribe',
        start: (push, params) => {
          if (params[0] === 'invalid') throw new RpcError(-32602, 'Invalid params', 'invalid')
          push(1)
          pushes.push(push)
          return () => void pushes.splice(pushes.indexOf(push), 1)
        },
      },
    },
  }
  const open: Gate = async () => true
  const request = (id: number, method: string, ...params: unknown[]) => ({
    jsonrpc: '2.0',
    id,
    method,
    params,
  })
  const answerTo = async (message: unknown, gate = open) => {
    const text = typeof message === 'string' ? message : JSON.stringify(message)
    const answer = await new Session(module, gate).handle(text)
    return answer === undefined ? undefined : JSON.parse(answer)
  }

  test.each([
    ['text that is not JSON', '{', null, -32700],
    ['a request without a method', { id: 1 }, 1, -32600],
    ['a request with odd parameters', { id: 'a', method: 'echo', params: 'x' }, 'a', -32600],
    ['a request with an odd id', { id: {}, method: 'echo' }, null, -32600],
    ['an empty batch', [], null, -32600],
    [
      'a name that the method does not have',
      { id: 2, method: 'chain_getHeader', params: { key: 1 } },
      2,
      -32602,
    ],
    ['an unknown method', request(1, 'nothing'), 1, -32601],
    ['a subscription on a transport without notifications', request(1, 'subscribe'), 1, -32601],
    ['a method that throws', request(1, 'fail'), 1, -32603],
    ['a method that throws an RpcError', request(1, 'reject'), 1, 1012],
  ])('answers %s with its error code', async (_, message, id, code) => {
    expect(await answerTo(message)).toMatchObject({ jsonrpc: '2.0', id, error: { code } })
  })

  test.each([
    [{ key: '0x01', hash: '0x02' }, ['0x01', '0x02']],
    [{ at: '0x02', key: '0x01' }, ['0x01', '0x02']],
    [{ hash: '0x02' }, [null, '0x02']],
    [{ key: '0x01' }, ['0x01']],
    [{}, []],
    [null, []],
    [['0x01'], ['0x01']],
  ])('gives a method the parameters %j by position', async (params, expected) => {
    expect(await answerTo({ id: 1, method: 'state_getStorage', params })).toMatchObject({ result: expected })
  })

  test('answers a batch in one array, in the order of its requests', async () => {
    const answers = await answerTo([request(1, 'echo', 'a'), request(2, 'nothing'), request(3, 'echo', 'b')])
    expect(answers).toMatchObject([
      { id: 1, result: 'a' },
      { id: 2, error: { code: -32601 } },
      { id: 3, result: 'b' },
    ])
  })

  test('leaves requests unanswered that the gate blocks', async () => {
    const gate: Gate = async (method) => method !== 'echo'
    expect(await answerTo(request(1, 'echo', 'a'), gate)).toBeUndefined()
    expect(await answerTo([request(1, 'echo'), request(2, 'fail')], gate)).toMatchObject([{ id: 2 }])
    expect(await answerTo([request(1, 'echo')], gate)).toBeUndefined()
  })

  test('sends the subscription id before the first notification, and nothing after unsubscribing', async () => {
    const sent: { id?: number; result?: string; params?: unknown }[] = []
    const session = new Session(module, open, (message) => void sent.push(JSON.parse(message)))
    expect(await session.handle(JSON.stringify(request(1, 'subscribe')))).toBeUndefined()
    const subscription = sent[0]?.result
    pushes[0]?.(2)
    expect(sent).toMatchObject([
      { id: 1 },
      { method: 'changed', params: { subscription, result: 1 } },
      { method: 'changed', params: { subscription, result: 2 } },
    ])
    const unsubscribe = JSON.stringify(request(2, 'unsubscribe', subscription))
    expect(JSON.parse((await session.handle(unsubscribe)) ?? '')).toMatchObject({ id: 2, result: true })
    expect(JSON.parse((await session.handle(unsubscribe)) ?? '')).toMatchObject({ id: 2, result: false })
    expect(pushes).toEqual([])
  })

  test('answers a subscription that fails to start with its error', async () => {
    const sent: string[] = []
    const session = new Session(module, open, (message) => void sent.push(message))
    const answer = await session.handle(JSON.stringify(request(1, 'subscribe', 'invalid')))
    expect(JSON.parse(answer ?? '')).toMatchObject({ id: 1, error: { code: -32602, data: 'invalid' } })
    expect(sent).toEqual([])
  })

  test('stops all subscriptions when it closes', async () => {
    const session = new Session(module, open, () => {})
    await session.handle(JSON.stringify([request(1, 'subscribe'), request(2, 'subscribe')]))
    expect(pushes).toHaveLength(2)
    session.close()
    expect(pushes).toEqual([])
  })
})
