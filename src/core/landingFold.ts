import type { AirlockEvent } from './events';
import type { LandingState, TaskState } from './liveState';

const noneYet = { from: null, commit: null, checks: [], code: '', reason: '', files: [] };

/** The part of the fold that follows a result on its way out. */
export function foldLanding(task: TaskState, event: AirlockEvent): void {
  switch (event.kind) {
    case 'landing.started': {
      const { runId, ref } = event;
      task.landing = { ...noneYet, phase: 'merging', runId, ref, statusBefore: task.status };
      return;
    }
    case 'landing.checked':
      change(task, (landing) => ({ ...landing, checks: [...landing.checks, event.result] }));
      return;
    case 'landing.moving': {
      const { ref, from, commit } = event;
      change(task, (landing) => ({ ...landing, phase: 'moving', ref, from, commit }));
      return;
    }
    case 'landing.failed': {
      const { code, reason, files } = event;
      // What the user gave up is as if it had never been asked for.
      if (code === 'landing-cancelled') task.landing = null;
      else change(task, (landing) => ({ ...landing, phase: 'failed', code, reason, files }));
      return;
    }
    case 'task.landed':
      change(task, (landing) => ({ ...landing, phase: 'landed', commit: event.commit }));
      return;
    case 'task.unlanded':
    case 'task.requeued':
      task.landing = null;
      return;
    default:
      return;
  }
}

function change(task: TaskState, to: (landing: LandingState) => LandingState): void {
  if (task.landing) task.landing = to(task.landing);
}
