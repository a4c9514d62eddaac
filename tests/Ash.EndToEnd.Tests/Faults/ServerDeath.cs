using Ash.Client;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Faults;

/// <summary>Kills a server in the middle of a turn, and looks at what its viewer, its process and its conversation make of that.</summary>
internal static class ServerDeath
{
    /// <returns>The session that lived through it.</returns>
    public static async Task<Guid> LiveThroughAsync(AshServer server, Moment moment)
    {
        var struck = await StruckTurn.BeginAsync(server, moment);
        var cli = server.CliOf(struck.Session).Pid;
        var viewer = new Viewer(server, struck.Session, struck.Turn);
        var hasSeen = new TaskCompletionSource();
        var watching = viewer.WatchAsync(hasSeen.SetOnce);
        await hasSeen.Task;

        await server.KillAsync();
        Assert.False(await watching);
        await Assert.ThrowsAnyAsync<AshException>(() => struck.Sending);
        await server.StartAgainAsync();
        await struck.ReleaseAsync(server);
        while (!await viewer.WatchAsync())
        {
            // As a client does: again from the last id.
        }

        Assert.Equal("completed", (await server.WaitForTurnAsync(struck.Session, struck.Turn)).Reason);
        Assert.Equal(cli, server.CliOf(struck.Session).Pid);
        var uncut = new Viewer(server, struck.Session, struck.Turn);
        Assert.True(await uncut.WatchAsync());
        Assert.Equal(uncut.Text, viewer.Text);
        Assert.Equal(uncut.Ids.Distinct(), viewer.Ids);
        await struck.AssertConversationIsIntactAsync(server);
        return struck.Session;
    }
}
