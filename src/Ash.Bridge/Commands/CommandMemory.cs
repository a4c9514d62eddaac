using Ash.Protocol.Bridge;

namespace Ash.Bridge.Commands;

/// <summary>Which commands were executed, and how they went, so that none is executed twice.</summary>
internal sealed class CommandMemory(int capacity)
{
    private readonly Dictionary<string, CommandDone?> _outcomes = []; // Null while it is being executed.
    private readonly Queue<string> _finished = new();

    /// <summary>True where the command is new and to be executed. Else <paramref name="outcome"/> is its first one, null while it is under way.</summary>
    internal bool TryBegin(string id, out CommandDone? outcome)
    {
        if (_outcomes.TryGetValue(id, out outcome))
        {
            return false;
        }

        _outcomes.Add(id, null);
        return true;
    }

    /// <summary>Remembers the outcome until <paramref name="outcome"/> is no longer among the newest.</summary>
    internal void Finish(CommandDone outcome)
    {
        _outcomes[outcome.Id] = outcome;
        _finished.Enqueue(outcome.Id);
        while (_finished.Count > capacity)
        {
            _outcomes.Remove(_finished.Dequeue());
        }
    }
}
