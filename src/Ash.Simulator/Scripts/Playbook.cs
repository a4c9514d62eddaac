using System.Security.Cryptography;
using System.Text;

namespace Ash.Simulator.Scripts;

/// <summary>A step, and where it was found.</summary>
internal sealed record StepChoice(ScriptStep Step, string Source);

/// <summary>Chooses the step that answers a request: one-shot queue, the prompt's own script, scenarios, default.</summary>
/// <remarks>
/// A request carries its whole conversation, so the replies since the prompt tell which step is due. Only steps that fail
/// leave no trace there: their attempts are counted, for the last <see cref="KeptAttempts"/> places.
/// </remarks>
internal sealed class Playbook(Script script)
{
    public const int KeptAttempts = 10_000;

    private static readonly ScriptStep Conversation = new();
    private static readonly ScriptStep End = new() { Text = ["done"] };

    private readonly Lock _lock = new();
    private readonly List<ScriptStep> _queue = [];
    private readonly Dictionary<string, int> _attempts = [];
    private readonly Queue<string> _attemptsByAge = [];

    public Script Script { get; private set; } = script;

    public void Replace(Script script)
    {
        lock (_lock)
        {
            Script = script;
            ForgetAttempts();
        }
    }

    /// <summary>Adds to the one-shot queue and returns its length.</summary>
    public int Enqueue(IEnumerable<ScriptStep> steps)
    {
        lock (_lock)
        {
            _queue.AddRange(steps);
            return _queue.Count;
        }
    }

    /// <summary>Forgets the queue and the attempts; the script stays.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            _queue.Clear();
            ForgetAttempts();
        }
    }

    /// <exception cref="ScriptException">The prompt carries a script that is none.</exception>
    public StepChoice Choose(ModelRequest request)
    {
        if (TakeFromQueue(request) is { } queued)
        {
            return new(queued, "queue");
        }

        if (InlineScript.Find(request.Conversation.Prompt) is { Count: > 0 } own)
        {
            return Play(own, "prompt", request);
        }

        var script = Script;

        return script.Scenarios.FirstOrDefault(scenario => scenario.When?.Matches(request) ?? true) is { Steps.Count: > 0 } scenario
            ? Play(scenario.Steps, scenario.Name ?? "scenario", request)
            : new(script.Default ?? Conversation, "default");
    }

    private ScriptStep? TakeFromQueue(ModelRequest request)
    {
        lock (_lock)
        {
            var at = _queue.FindIndex(step => step.When?.Matches(request) ?? true);

            if (at < 0)
            {
                return null;
            }

            var step = _queue[at];
            _queue.RemoveAt(at);
            return step;
        }
    }

    private StepChoice Play(IReadOnlyList<ScriptStep> steps, string source, ModelRequest request)
    {
        var due = request.Conversation.Step;
        var used = steps.Any(step => step.Fails) ? CountAttempt(source, request) : 0;
        var place = 0;

        foreach (var step in steps)
        {
            if (place == due && (!step.Fails || used < step.Times))
            {
                return new(step, source);
            }

            if (!step.Fails)
            {
                place++;
            }
            else if (place == due)
            {
                used -= step.Times;
            }
        }

        return new(End, $"{source}+end");
    }

    /// <summary>How often this place of this session was asked for before.</summary>
    private int CountAttempt(string source, ModelRequest request)
    {
        var conversation = request.Conversation;
        var place = string.Join('\0', source, request.SessionId, conversation.PromptAt, conversation.Step, conversation.Prompt);
        var key = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(place)));

        lock (_lock)
        {
            if (!_attempts.TryGetValue(key, out var before))
            {
                _attemptsByAge.Enqueue(key);

                if (_attemptsByAge.Count > KeptAttempts)
                {
                    _attempts.Remove(_attemptsByAge.Dequeue());
                }
            }

            _attempts[key] = before + 1;
            return before;
        }
    }

    private void ForgetAttempts()
    {
        _attempts.Clear();
        _attemptsByAge.Clear();
    }
}
