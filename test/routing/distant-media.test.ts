import { describe, expect, it } from 'vitest'
import { findDistantMedia } from '../../src/routing/index.js'

const said = (...content: unknown[]) => ({ model: 'm', messages: [{ role: 'user', content }] })

describe('an address of a file that a server would fetch', () => {
  it.each([
    ['http://169.254.169.254/latest/meta-data'],
    ['https://host/a.png'],
    ['file:///etc/passwd'],
    ['//host/a.png'],
    ['/etc/passwd'],
    [' data:image/png;base64,AA=='],
    [''],
  ])('%j is found in every kind of part', (url) => {
    expect(findDistantMedia(said({ type: 'image_url', image_url: { url } }))).toBe(
      'messages[0].content[0].image_url.url',
    )
    expect(findDistantMedia(said({ type: 'image_url', image_url: url }))).toBe(
      'messages[0].content[0].image_url',
    )
    expect(
      findDistantMedia(said({ type: 'text', text: 'x' }, { type: 'video_url', video_url: { url } })),
    ).toBe('messages[0].content[1].video_url.url')
    // OpenAI's responses and Anthropic's messages.
    expect(
      findDistantMedia({ input: [{ role: 'user', content: [{ type: 'input_image', image_url: url }] }] }),
    ).toBe('input[0].content[0].image_url')
    expect(findDistantMedia(said({ type: 'image', source: { type: 'url', url } }))).toBe(
      'messages[0].content[0].source.url',
    )
  })

  it('is not found in files that the request has itself, in text, and in schemas of tools', () => {
    const data = 'data:image/png;base64,AAAA'
    expect(
      findDistantMedia(
        said(
          { type: 'image_url', image_url: { url: data } },
          { type: 'text', text: 'https://host/a.png' },
          { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
        ),
      ),
    ).toBeUndefined()
    const tools = [
      { type: 'function', function: { name: 'f', parameters: { properties: { url: 'string' } } } },
    ]
    expect(findDistantMedia({ model: 'm', prompt: 'https://host', tools })).toBeUndefined()
  })
})
