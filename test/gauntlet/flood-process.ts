import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { signedPost } from './signed-post.js'

/** Sends requests with forged signatures until it is killed. Arguments: port, requests per second. */
const [port = 0, perSecond = 0] = process.argv.slice(2).map(Number)
const batch = Math.ceil(perSecond / 50)
let sent = 0
let isPaused = false
const open = () => {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {}).resume()
  const timer = setInterval(() => {
    if (isPaused) return
    const { head, body } = signedPost('{"model":"org/model"}')
    const forged = Array.from({ length: Math.ceil(batch / 8) }, () =>
      (head + body).replace(/(Request-Signature: 0x)[0-9a-f]+/, `$1${randomBytes(64).toString('hex')}`),
    )
    sent += forged.length
    socket.write(forged.join(''))
  }, 20)
  socket.on('close', () => {
    clearInterval(timer)
    open()
  })
}
for (let index = 0; index < 8; index++) open()
process.on('message', (word) => {
  isPaused = word === 'pause'
  if (word === 'report') process.send?.({ sent })
})
process.send?.({ ready: true })
