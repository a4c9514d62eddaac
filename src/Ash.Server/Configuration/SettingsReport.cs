namespace Ash.Server.Configuration;

/// <summary>What is to be said about the settings once they are read.</summary>
/// <param name="Errors">All that is wrong, each with the setting's name; empty where the settings may be used.</param>
/// <param name="Refused">The settings among them.</param>
/// <param name="Warnings">What is set and has no effect.</param>
/// <param name="Known">Every setting that there is.</param>
internal sealed record SettingsReport(
    IReadOnlyList<string> Errors, IReadOnlySet<string> Refused, IReadOnlyList<string> Warnings, IReadOnlySet<string> Known);
