import { expect, it } from 'vitest'
import { createTopic } from '../../src/roles/role.js'

it('delivers events in the order of subscription, and an error of a listener to the publisher', () => {
  const topic = createTopic<number>()
  const received: string[] = []
  topic.publish(1)
  topic.subscribe((event) => received.push(`first ${event}`))
  topic.subscribe((event) => {
    if (event === 3) throw new Error('not 3')
    received.push(`second ${event}`)
  })
  topic.publish(2)
  expect(() => topic.publish(3)).toThrow('not 3')
  expect(received).toEqual(['first 2', 'second 2', 'first 3'])
})
