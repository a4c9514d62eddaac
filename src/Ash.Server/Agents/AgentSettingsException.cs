namespace Ash.Server.Agents;

/// <summary>An agent's <c>ash.json</c> cannot be used; the message names the field.</summary>
internal sealed class AgentSettingsException : Exception
{
    public AgentSettingsException()
    {
    }

    public AgentSettingsException(string message)
        : base(message)
    {
    }

    public AgentSettingsException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
