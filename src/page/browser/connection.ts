import { applyChange, type LiveChange, type LiveDocument } from '../document-change.js'
import { setAttribute, setText } from './elements.js'

/** The server sends something at least every 15 s; longer silence is a connection that has died unnoticed. */
const SILENCE_MS = 45_000
const REOPEN_MS = 3000

/**
 * Follows the server's events and draws the newest document, at most once per frame and not at all while the page is hidden.
 * Connects again by itself, also after a restart of the server.
 */
export function followLive(draw: (document: LiveDocument) => void, state: HTMLElement): void {
  let document: LiveDocument | undefined
  let isScheduled = false
  let silence: number | undefined
  let lostAt: string | undefined

  const show = (next: LiveDocument) => {
    document = next
    if (isScheduled) return
    isScheduled = true
    requestAnimationFrame(() => {
      isScheduled = false
      if (document) draw(document)
    })
  }
  const tell = (text: string, tone: 'good' | 'bad') => {
    setText(state, text)
    setAttribute(state, 'class', tone)
  }
  const lost = () => {
    lostAt ??= new Date().toISOString().slice(11, 19)
    tell(`Not connected since ${lostAt} UTC; trying again.`, 'bad')
  }
  const open = () => {
    const source = new EventSource('/events')
    const reopen = () => {
      source.close()
      lost()
      setTimeout(open, REOPEN_MS)
    }
    const heard = () => {
      lostAt = undefined
      tell('Live', 'good')
      clearTimeout(silence)
      silence = setTimeout(reopen, SILENCE_MS)
    }
    source.addEventListener('snapshot', ({ data }: MessageEvent<string>) => {
      heard()
      show(JSON.parse(data) as LiveDocument)
    })
    source.addEventListener('change', ({ data }: MessageEvent<string>) => {
      heard()
      if (document) show(applyChange(document, JSON.parse(data) as LiveChange))
    })
    source.addEventListener('alive', heard)
    source.addEventListener('error', () => {
      clearTimeout(silence)
      // After an answer other than events the browser does not try again.
      if (source.readyState === EventSource.CLOSED) reopen()
      else lost()
    })
  }
  open()
}
