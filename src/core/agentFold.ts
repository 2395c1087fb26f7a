import type { AirlockEvent } from './events';
import type { LiveState, RunState } from './liveState';

type AgentEvent = Extract<
  AirlockEvent,
  { kind: 'message.sent' | 'message.read' | 'topic.joined' | 'subtasks.created' }
>;

/** More than these that nobody has read are not kept: the sender is told before that. */
export const maxInbox = 100;
/** Of so many messages that it sent, an agent can learn who has read them. */
const maxSent = 50;
const maxTopics = 20;

export function foldAgents(state: LiveState, run: RunState, event: AgentEvent): void {
  const task = state.tasks.get(run.taskId);
  switch (event.kind) {
    case 'message.sent': {
      const { messageId: id, to, topic, text } = event;
      for (const taskId of to) {
        const receiver = state.tasks.get(taskId);
        if (receiver)
          receiver.inbox = [...(receiver.inbox ?? []), { id, from: run.taskId, topic, text }].slice(-maxInbox);
      }
      if (task) task.sent = [...(task.sent ?? []), { id, to, readBy: [] }].slice(-maxSent);
      run.sentMessages = (run.sentMessages ?? 0) + 1;
      return;
    }
    case 'message.read': {
      if (!task) return;
      const read = (task.inbox ?? []).filter(({ id }) => event.messageIds.includes(id));
      task.inbox = (task.inbox ?? []).filter(({ id }) => !event.messageIds.includes(id));
      for (const { id, from } of read) {
        const sender = state.tasks.get(from);
        if (sender?.sent)
          sender.sent = sender.sent.map((sent) =>
            sent.id === id ? { ...sent, readBy: [...new Set([...sent.readBy, task.id])] } : sent,
          );
      }
      return;
    }
    case 'topic.joined':
      if (task) task.topics = [...new Set([...(task.topics ?? []), event.topic])].slice(-maxTopics);
      return;
    case 'subtasks.created':
      run.givenUsd = (run.givenUsd ?? 0) + event.givenUsd;
      run.subtasks = [...(run.subtasks ?? []), ...event.taskIds];
      return;
  }
}
