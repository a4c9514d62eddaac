using Ash.Server.Storage;

namespace Ash.Server.Credentials;

/// <summary>
/// Seals what releases before this have left plain, before anything reads it; then, beside all else, seals with the current key
/// what an earlier key has sealed, which is read as it is until then.
/// </summary>
internal sealed partial class SealedTextRotation(
    SealedTexts texts, IEnumerable<ISealedRows> tables, ILogger<SealedTextRotation> logger) : BackgroundService
{
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var count = 0;
        foreach (var table in tables)
        {
            foreach (var id in await table.FindPlainAsync(cancellationToken))
            {
                await table.SealPlainAsync(id);
                count++;
            }
        }

        if (count > 0)
        {
            LogSealed(count);
        }

        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var count = 0;
        try
        {
            foreach (var table in tables)
            {
                foreach (var id in await table.FindStaleAsync(texts.CurrentPrefix ?? SealedTexts.NoPrefix, stoppingToken))
                {
                    stoppingToken.ThrowIfCancellationRequested();
                    count += await TrySealAnewAsync(table, id) ? 1 : 0;
                }
            }
        }
        catch (Exception failure) when (StoreException.MayPass(failure))
        {
            // The earlier keys open them still.
            LogFailed(failure);
        }

        if (count > 0)
        {
            LogSealedAnew(count);
        }
    }

    private async Task<bool> TrySealAnewAsync(ISealedRows table, Guid id)
    {
        try
        {
            await table.SealAnewAsync(id);
            return true;
        }
        catch (SealedTextException failure)
        {
            LogUnreadable(id, failure.Message);
            return false;
        }
    }

    [LoggerMessage(LogLevel.Information, "Sealed environments and configurations of {Count} agents and sessions, which were plain text")]
    private partial void LogSealed(int count);

    [LoggerMessage(LogLevel.Information, "Sealed environments and configurations of {Count} agents and sessions anew, with the current credential key")]
    private partial void LogSealedAnew(int count);

    [LoggerMessage(LogLevel.Warning, "A text of agent or session {Id} could not be sealed anew: {Reason}")]
    private partial void LogUnreadable(Guid id, string reason);

    [LoggerMessage(LogLevel.Warning, "Not all environments and configurations are sealed with the current credential key; the next start tries again")]
    private partial void LogFailed(Exception failure);
}
