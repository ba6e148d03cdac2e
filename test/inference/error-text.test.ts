import { expect, test } from 'vitest'
import { readErrorText } from '../../src/inference/error-text.js'

test.each([
  ['OpenAI', '{"error":{"message":"No GPU left","type":"x","code":null}}', 'No GPU left'],
  [
    'vLLM before 0.10',
    '{"object":"error","message":"too long","type":"BadRequestError","code":400}',
    'too long',
  ],
  ['a text as error', '{"error":"overloaded"}', 'overloaded'],
  ['FastAPI', '{"detail":"Stake below minimum: 5"}', 'Stake below minimum: 5'],
  [
    'the fields FastAPI refuses',
    '{"detail":[{"loc":["body","model"],"msg":"Field required","type":"missing"},{"msg":"second"}]}',
    'body.model: Field required; second',
  ],
  ['both dialects', '{"detail":"short","error":{"message":"the cause"}}', 'the cause'],
  ['plain text', '  Bad\r\n Gateway\n', 'Bad Gateway'],
  ['an error page', '<html><head><title>502</title></head>\n<body>nginx</body></html>', '502 nginx'],
  ['JSON without a sentence', '{"error":{"code":1}}', '{"error":{"code":1}}'],
  ['half of a JSON text', '{"error":{"message":"half', '{"error":{"message":"half'],
  ['no text', ' \n', ''],
])('reads the sentence of %s', (_, body, sentence) => {
  expect(readErrorText(body)).toBe(sentence)
})

test('keeps a long text short and escapes control characters', () => {
  const text = readErrorText(JSON.stringify({ error: { message: `\u001b[2J\u202e${'x'.repeat(5000)}` } }))
  expect(text).toMatch(/^\\u001b\[2J\\u202ex+…$/)
  expect(text).toHaveLength(300)
})

test('reads deep nesting as plain text', () => {
  expect(readErrorText('['.repeat(10_000))).toBe(`${'['.repeat(299)}…`)
})
